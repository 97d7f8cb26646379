/** `turn-holder.ts FOLDER [POSTGRES_URL]`: takes the turn of `orders`, says so, and keeps it until it is ended. */
import { openTurns } from "./open-turns.ts";

const [folder, url] = process.argv.slice(2) as [string, string?];
const { turns } = await openTurns({ folder, ...(url !== undefined && { url }) });
const { isMine } = await turns.take("orders");
process.stdout.write(`${isMine}\n`);
setInterval(() => {}, 60_000);
