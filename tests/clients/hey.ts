// A client that @hey-api/openapi-ts has generated: log in, refresh, log out.
import { client } from "./hey/client.gen.js";
import { getMe, login, logout, refresh } from "./hey/sdk.gen.js";

const [baseUrl, username, password] = process.argv.slice(2) as [string, string, string];
client.setConfig({ baseUrl });

const first = await login({ body: { username, password }, throwOnError: true });
const role: string = first.data.role;
const second = await refresh({ body: { refresh: first.data.refresh! }, throwOnError: true });
const auth: string = second.data.access;
const me = await getMe({ auth });
await logout({ body: { refresh: second.data.refresh! } });
const gone = await getMe({ auth });
console.log(role, second.response.status, me.response?.status, gone.response?.status);
