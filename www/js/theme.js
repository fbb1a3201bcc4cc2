// Runs before the first paint, so it is a classic script: the remembered theme, else the system's.
// Others ask for a change with an event: document.dispatchEvent(new CustomEvent("themechoice", { detail: "dark" })).
(() => {
  const KEY = "r3gan-theme";
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const systemTheme = () => (system.matches ? "dark" : "light");

  function remembered() {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null; // storage may be switched off
    }
  }

  function apply() {
    const choice = remembered();
    const theme = choice === "dark" || choice === "light" ? choice : systemTheme();
    if (root.dataset.theme === theme) return;
    root.dataset.theme = theme;
    const ground = document.querySelector('meta[name="theme-color"]');
    if (ground) ground.content = theme === "dark" ? "#121416" : "#f8f7f4";
    document.dispatchEvent(new CustomEvent("themechange", { detail: theme }));
  }

  document.addEventListener("themechoice", (event) => {
    try {
      // The system's own theme needs no memory: the page then goes on following the system.
      if (event.detail === systemTheme()) localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, event.detail);
    } catch {
      root.dataset.theme = event.detail;
      document.dispatchEvent(new CustomEvent("themechange", { detail: event.detail }));
      return;
    }
    apply();
  });
  system.addEventListener("change", apply);
  apply();
})();
