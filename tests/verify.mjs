// Verifies the tokens on its standard input, one a line, by the keys behind a URL.
// It keeps the keys and asks for new ones when a token names one it does not know;
// jose would wait for 30 seconds in between.

import { createInterface } from "node:readline";
import { createRemoteJWKSet, jwtVerify } from "jose";

const [url, name] = process.argv.slice(2);
const keys = createRemoteJWKSet(new URL(url), { cooldownDuration: 0 });

for await (const token of createInterface({ input: process.stdin })) {
  const answer = await jwtVerify(token, keys, { issuer: name, audience: name }).then(
    ({ payload }) => payload,
    ({ code }) => ({ refused: code }),
  );
  console.log(JSON.stringify(answer));
}
