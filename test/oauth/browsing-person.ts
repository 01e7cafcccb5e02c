/** A person with a browser: follows redirects with a cookie jar and fills in the forms of oidc-provider's own pages. */
export class BrowsingPerson {
  readonly #cookies = new Map<string, string>();
  /** True: says no where the device is to be confirmed. */
  readonly #declines: boolean;
  /** Typed into the field for the code. */
  readonly #userCode: string;

  constructor(options: { userCode?: string; declines?: boolean } = {}) {
    this.#userCode = options.userCode ?? "";
    this.#declines = options.declines ?? false;
  }

  /**
   * Opens `url` and does what the pages ask for. Ends with the address that lies outside of `origin` (a callback), or with the
   * text of the first page that has no form or comes after the no.
   */
  async visit(url: string): Promise<{ readonly callback: string | null; readonly page: string }> {
    const { origin } = new URL(url);
    let next: { url: string; body?: URLSearchParams } = { url };
    for (let steps = 0; steps < 30; steps++) {
      const response = await this.#fetch(next.url, next.body);
      const location = response.headers.get("location");
      if (location !== null) {
        const target = new URL(location, next.url).href;
        if (new URL(target).origin !== origin) return { callback: target, page: "" };
        next = { url: target };
        continue;
      }
      const page = await response.text();
      const form = next.body?.has("abort") ? null : this.#fillIn(page);
      if (form === null) return { callback: null, page };
      next = { url: new URL(form.action, next.url).href, body: form.fields };
    }
    throw new Error("the pages lead nowhere");
  }

  #fillIn(page: string): { action: string; fields: URLSearchParams } | null {
    const action = /<form[^>]*\baction="([^"]+)"/.exec(page)?.[1];
    if (action === undefined) return null;
    const fields = new URLSearchParams();
    const form = page.slice(page.indexOf("<form"), page.indexOf("</form>"));
    for (const [input] of form.matchAll(/<input[^>]*>/g)) {
      const name = /\bname="([^"]+)"/.exec(input)?.[1];
      const value = /\bvalue="([^"]*)"/.exec(input)?.[1];
      if (name === "user_code") fields.set(name, value ?? this.#userCode);
      else if (name === "login") fields.set(name, "ada");
      else if (name === "password") fields.set(name, "any");
      else if (name !== undefined) fields.set(name, value ?? "");
    }
    if (this.#declines && fields.has("confirm")) {
      fields.delete("confirm");
      fields.set("abort", "yes");
    }
    return { action: action.replaceAll("&amp;", "&"), fields };
  }

  async #fetch(url: string, body?: URLSearchParams): Promise<Response> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const response = await fetch(url, {
      redirect: "manual",
      headers: { cookie },
      ...(body === undefined ? {} : { method: "POST", body }),
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === "") this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
    return response;
  }
}
