import type { AlertMessage, AlertSink } from "../../core/alert-sink.ts";
import { tellSamples } from "../../core/record-sample.ts";
import type { JsonPostOptions } from "./json-post.ts";
import { jsonPost } from "./json-post.ts";

/** Limits of Slack's blocks: a header's and a section's text. */
const headerCharsMax = 150;
const sectionCharsMax = 3000;
/** Effects and commands shown; the incident has all. */
const effectsMax = 8;

/** Text that Slack takes as it is: its three control characters are escaped. */
function plain(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** Escapes what is cut, never cuts what is escaped. */
function section(lines: readonly string[]): object {
  const text = lines.join("\n");
  return {
    type: "section",
    text: { type: "mrkdwn", text: text.length > sectionCharsMax ? `${text.slice(0, sectionCharsMax - 10)}\n...` : text },
  };
}

/** A message as Slack's incoming webhooks take it, and what speaks their form (Mattermost, Rocket.Chat). */
function slackPayload({ notice, downstream, steps }: AlertMessage): object {
  const { kind, incident } = notice;
  const isOver = kind === "recovered" || kind === "resolved";
  const title = `${kind}: ${incident.title}`;
  const effects = incident.signals.filter((one) => isOver || one.isActive).map((one) => `• ${plain(tellSamples(one.effect, one.samples))}`);
  const more = effects.length > effectsMax ? [`and ${effects.length - effectsMax} more`] : [];
  const said = incident.resolution === null ? [] : [`_${plain(incident.resolution.author)}: ${plain(incident.resolution.reason)}_`];
  const commands = steps.map(({ command, says }) => `\`${plain(command)}\`  ${plain(says)}`);
  return {
    text: plain(`[${incident.severity}] ${title}`),
    blocks: [
      { type: "header", text: { type: "plain_text", text: title.slice(0, headerCharsMax) } },
      section([
        `*${incident.severity}*, since ${new Date(incident.sinceMs).toISOString()}`,
        plain(downstream),
        ...effects.slice(0, effectsMax),
        ...more,
        ...said,
      ]),
      ...(isOver || commands.length === 0 ? [] : [section(commands)]),
      { type: "context", elements: [{ type: "plain_text", text: notice.id }] },
    ],
  };
}

/** Posts notices to a Slack channel's incoming webhook, whose URL is a secret. */
export function createSlackSink(options: JsonPostOptions): AlertSink {
  const receiver = jsonPost(options);
  return {
    name: options.name,
    tracksSeverity: false,
    tell: (message) => receiver.post(JSON.stringify(slackPayload(message))),
    close: async () => receiver.close(),
  };
}
