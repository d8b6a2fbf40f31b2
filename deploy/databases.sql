-- Beside the database of the store: one for Prefect.
CREATE DATABASE prefect OWNER episcribe;
