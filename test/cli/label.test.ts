import { describe, expect, it } from "vitest";
import { checkLabel } from "../../src/providers/label.ts";

describe("a label", () => {
  it.each(["work", "Büro 2", "שלי", "👩‍💻", "../../etc", "--force", "x".repeat(100)])("may be %j", (label) => {
    expect(() => checkLabel(label)).not.toThrow();
  });

  it.each(["", " ", "x".repeat(101), "a\u001b[8mb", "a\nb", "a\u009b31mb", "a\u2028b", "a\u202eb", "a\u2066b"])(
    "may not be %j",
    (label) => {
      expect(() => checkLabel(label)).toThrow(expect.objectContaining({ code: "usage" }));
    },
  );
});
