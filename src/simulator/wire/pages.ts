import { type Reply, textReply } from "../reply.ts";

/** What a reverse proxy says when what stands behind it is away. */
export function badGatewayPage(): Reply {
  const html =
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>cloudflare</center>\r\n</body>\r\n</html>\r\n";
  return textReply(502, "text/html", html, { server: "cloudflare", "cf-ray": "8f00000000000000-SIM" });
}

/** What a web application firewall says to a client that it takes for a robot. No JSON, no code, nothing to do with the key. */
export function blockedPage(): Reply {
  const html = `<!DOCTYPE html>
<html lang="en-US">
<head><title>Attention Required! | Cloudflare</title></head>
<body><div id="cf-wrapper"><div id="cf-error-details"><h1>Sorry, you have been blocked</h1>
<p>You are unable to access this site.</p></div></div>
<script src="/cdn-cgi/challenge-platform/h/b/orchestrate/chl_page/v1"></script></body>
</html>
`;
  return textReply(403, "text/html; charset=UTF-8", html, {
    server: "cloudflare",
    "cf-ray": "8f00000000000001-SIM",
    "cf-mitigated": "challenge",
  });
}
