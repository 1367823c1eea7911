// Spectral's rules for OpenAPI, and OWASP's ten risks of APIs (2023) as rules. What is waived here stands with its reason.
import { oas } from "@stoplight/spectral-rulesets";
import owasp from "@stoplight/spectral-owasp-ruleset";

// Bounds guard a server against what comes in. In answers they would be promises that keep a field from ever growing, so
// the rules on them look at parameters and request bodies alone.
const of = (type) => [`@.type === "${type}"`, `(@.type && @.type[0] === "${type}")`];
const incoming = (type) =>
  ["parameters", "requestBody"].flatMap((part) => of(type).map((is) => `$.paths[*][*].${part}..[?(@ && ${is})]`));
// The length of a query is bounded as a whole, and a format is a bound. How long the entries of a list may be stands in
// words, since the list itself is bounded.
const fields = of("string").map((is) => `$.paths[*][*].requestBody..properties[?(@ && !@.format && ${is})]`);
const scoped = Object.fromEntries(
  [
    ["owasp:api4:2023-string-limit", fields],
    ["owasp:api4:2023-string-restricted", incoming("string")],
    ["owasp:api4:2023-integer-limit", incoming("integer")],
    ["owasp:api4:2023-array-limit", incoming("array")],
  ].map(([name, given]) => [name, { ...owasp.rules[name], given }]),
);

export default {
  extends: [oas, owasp],
  rules: {
    ...scoped,
    // Ids name what is public, in the order in which it was written; what may not be seen answers 404, whatever its number.
    "owasp:api1:2023-no-numeric-ids": "off",
    // The committed document names a developer's own machine. TLS ends at the proxy before the server.
    "owasp:api8:2023-no-server-http": "off",
    // Signing in and changing a password are limited here, and say 429 with Retry-After; all else is the business of a
    // proxy, and no header counts down.
    "owasp:api4:2023-rate-limit": "off",
    "owasp:api4:2023-rate-limit-responses-429": "off",
    // CORS is the same for every answer and follows a setting (BROADSHEET_CORS_ORIGINS), not the operation.
    "owasp:api8:2023-define-cors-origin": "off",
  },
  overrides: [
    {
      // Whoever looks for the way in cannot be signed in yet. These ignore credentials, so they never answer 401 for them.
      files: [
        ["/", "get"],
        ["/.well-known/jwks.json", "get"],
        ["/health/live", "get"],
        ["/health/ready", "get"],
        ["/api/v1/auth/login", "post"],
        ["/api/v1/auth/refresh", "post"],
        ["/api/v1/auth/logout", "post"],
      ].map(([path, method]) => `**#/paths/${path.replaceAll("/", "~1")}/${method}`),
      rules: {
        "owasp:api2:2023-read-restricted": "off",
        "owasp:api2:2023-write-restricted": "off",
        "owasp:api8:2023-define-error-responses-401": "off",
      },
    },
  ],
};
