import { type Reply, textReply } from "../reply.ts";

/** `GET /codex/device`: where a person types the code in. The form posts `user_code` to the same address. */
export function devicePage(): Reply {
  return page(
    `<form method="post"><label>Code <input name="user_code" autofocus autocomplete="off"></label> <button>Approve</button></form>`,
  );
}

export function devicePageAnswer(approved: boolean): Reply {
  return page(approved ? "<p>Approved. You can go back to your terminal.</p>" : "<p>That code is not waiting.</p>");
}

function page(content: string): Reply {
  const html = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Simulated sign-in</title><h1>Simulated sign-in</h1>${content}</html>\n`;
  return textReply(200, "text/html; charset=utf-8", html);
}
