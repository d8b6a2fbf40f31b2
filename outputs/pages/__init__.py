"""What HTML pages share: templates and assets, their content security policy, speaking times and how they are drawn.

To change how a page looks, change `assets/`. Imports `outputs.text`.
"""
