// The page that says that nothing is left: undo is all that can be done.

import { goTo, post } from "./server.js";

const undo = () => goTo(post("/undo", {}));
document.querySelector("[data-undo]").addEventListener("click", undo);
document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() === "u" && !event.ctrlKey && !event.metaKey) undo();
});
