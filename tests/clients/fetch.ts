// A client with the types of openapi-typescript: log in, refresh, log out.
import createClient from "openapi-fetch";
import type { paths } from "./schema.js";

const [baseUrl, username, password] = process.argv.slice(2) as [string, string, string];
const { GET, POST } = createClient<paths>({ baseUrl });

const first = await POST("/api/token/", { body: { username, password } });
if (!first.data) throw new Error("no login");
const role: string = first.data.role;
const second = await POST("/api/token/refresh/", { body: { refresh: first.data.refresh! } });
if (!second.data) throw new Error("no refresh");
const headers = { Authorization: `Bearer ${second.data.access}` };
const me = await GET("/api/users/me/", { headers });
await POST("/api/token/blacklist/", { body: { refresh: second.data.refresh! } });
const gone = await GET("/api/users/me/", { headers });
console.log(role, second.response.status, me.response.status, gone.response.status);
