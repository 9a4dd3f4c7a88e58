// A certified OpenID provider (npm `oidc-provider`) for the tests, with its own login and consent pages.
// The environment says where it listens, who its one client is, and what is known of the people who may sign in.
import Provider from "oidc-provider";

const { port, client, people } = JSON.parse(process.env.PROVIDER);
const issuer = `http://127.0.0.1:${port}`;
const provider = new Provider(issuer, {
  clients: [{ ...client, response_types: ["code"], grant_types: ["authorization_code"] }],
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"], roles: ["roles"] },
  scopes: ["openid", "email", "profile", "roles"],
  // As by the standard: what a scope gives is told by the userinfo endpoint, and not in the ID token.
  conformIdTokenClaims: true,
  pkce: { required: () => true },
  features: { devInteractions: { enabled: true } },
  findAccount: (_context, id) => (people[id] ? { accountId: id, claims: () => ({ sub: id, ...people[id] }) } : undefined),
});
provider.listen(port, "127.0.0.1", () => console.log("ready"));
