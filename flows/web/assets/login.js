import { Problem, api, t } from "./frame.js";

const form = /** @type {HTMLFormElement | null} */ (document.getElementById("login"));
if (form) signIn(form);

/** @param {HTMLFormElement} form */
function signIn(form) {
  const name = /** @type {HTMLInputElement} */ (document.getElementById("name"));
  const password = /** @type {HTMLInputElement} */ (document.getElementById("password"));
  const show = /** @type {HTMLButtonElement} */ (document.getElementById("show"));
  const failure = /** @type {HTMLElement} */ (document.getElementById("failure"));

  show.addEventListener("click", () => {
    const shown = password.type === "text";
    password.type = shown ? "password" : "text";
    show.textContent = t(shown ? "login.show" : "login.hide");
  });

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (form.getAttribute("aria-busy") === "true") return;
    form.setAttribute("aria-busy", "true");
    failure.textContent = "";
    try {
      await api("POST", "/login", { name: name.value.trim(), password: password.value });
      location.replace(form.dataset.onward || "/");
    } catch (error) {
      form.removeAttribute("aria-busy");
      failure.textContent = why(error);
      password.select();
    }
  });
}

/** @param {unknown} error */
function why(error) {
  if (!(error instanceof Problem)) return t("login.failed", { why: String(error) });
  if (error.status === 401) return t("login.wrong");
  if (error.status === 429) return t("login.wait", { seconds: error.told.retry_after });
  return t("login.failed", { why: error.message });
}
