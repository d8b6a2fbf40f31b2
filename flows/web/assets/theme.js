// Before anything is painted: the colours that the user chose, light or dark; else those of their system.
try {
  const chosen = localStorage.getItem("episcribe-theme");
  if (chosen) document.documentElement.dataset.theme = chosen;
} catch { /* no storage */ }
