// Tabs, the navigation, and every viewer of the page.
document.querySelectorAll("[data-tabs]").forEach((tabs) => {
  const buttons = [...tabs.querySelectorAll("button")];
  const choose = (button) => buttons.forEach((other) => {
    const on = other === button;
    other.classList.toggle("on", on);
    other.setAttribute("aria-selected", on);
    other.tabIndex = on ? 0 : -1;
    document.getElementById(other.dataset.tab).classList.toggle("on", on);
  });
  buttons.forEach((button, n) => {
    button.tabIndex = n ? -1 : 0;
    button.addEventListener("click", () => choose(button));
    button.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const next = buttons[(n + step + buttons.length) % buttons.length];
      choose(next);
      next.focus();
      event.preventDefault();
    });
  });
});
const links = new Map([...document.querySelectorAll(".bar a")].map((a) => [a.hash.slice(1), a]));
const marks = new IntersectionObserver((entries) => {
  for (const entry of entries) links.get(entry.target.id)?.classList.toggle("here", entry.isIntersecting);
}, { rootMargin: "-45% 0px -50% 0px" });
document.querySelectorAll("section").forEach((section) => marks.observe(section));

document.querySelectorAll("[data-viewer]").forEach((box) => {
  viewers[box.dataset.viewer](box, data[box.dataset.viewer][box.dataset.shows]);
});
