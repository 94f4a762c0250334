// Requests that change something, and the line that says what went wrong.

const token = document.querySelector('meta[name="csrf-token"]').content;
const box = document.querySelector("#message, [data-message]");
const RETRY_AFTER = 2000;
const SHOWN_FOR = 6000;
let hiding = 0;

// Works on plain http in a local network too, where crypto.randomUUID does not exist.
export function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function say(text, link) {
  clearTimeout(hiding);
  box.replaceChildren(text);
  if (link) {
    const anchor = Object.assign(document.createElement("a"), { href: link.href, textContent: link.text });
    box.append(" ", anchor);
  }
  box.hidden = false;
  if (!link) hiding = setTimeout(() => { box.hidden = true; }, SHOWN_FOR);
}

// Sends JSON until the server answers. What is sent again carries the same key, so it is kept once.
export async function post(path, body) {
  for (;;) {
    let response;
    try {
      response = await fetch(path, {
        method: "POST",
        headers: { Accept: "application/json", "Content-Type": "application/json", "X-CSRF-Token": token },
        body: JSON.stringify(body),
      });
    } catch {
      say("The server does not answer. Your decision is kept here and sent again.");
      await new Promise((resolve) => setTimeout(resolve, RETRY_AFTER));
      continue;
    }
    const answer = await response.json().catch(() => ({}));
    if (response.ok) return answer;
    if (response.status === 401) say("Your session has ended.", { href: "/login", text: "Log in" });
    else if (response.status === 409 && path !== "/undo") say(answer.detail, { href: "/review", text: "Next product" });
    else say(answer.detail || "The server could not do this.");
    return null;
  }
}

export async function goTo(promise) {
  const answer = await promise;
  if (answer) location.assign(answer.next);
  return Boolean(answer);
}
