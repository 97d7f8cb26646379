import { authoritativeDefinitions, customProperties, stableId, tags } from "./odcs-element.ts";
import { listOf, string } from "./shape.ts";
import type { Shape } from "./shape.ts";

const member: Shape = {
  type: "object",
  keys: {
    id: { shape: stableId, use: "ignored", doc: "Name for references." },
    username: { shape: string, required: true, use: "described", doc: "The account or mail address." },
    name: { shape: string, use: "described", doc: "The person's name." },
    description: { shape: string, use: "ignored", doc: "What they do." },
    role: { shape: string, use: "described", doc: "Owner, steward and so on; owners are named in lineage." },
    dateIn: { shape: string, use: "ignored", doc: "Since when." },
    dateOut: { shape: string, use: "described", doc: "Until when: who has left is no owner any more." },
    replacedByUsername: { shape: string, use: "ignored", doc: "Who follows them." },
    tags: { shape: tags, use: "ignored", doc: "Labels." },
    customProperties: { shape: customProperties, use: "ignored", doc: "Properties of other tools." },
    authoritativeDefinitions: { shape: authoritativeDefinitions, use: "ignored", doc: "Links to definitions." },
  },
};

/** The people behind a contract: an object since 3.1, a list before. */
export const team: Shape = {
  type: "either",
  of: [
    {
      type: "object",
      keys: {
        id: { shape: stableId, use: "ignored", doc: "Name for references." },
        name: { shape: string, use: "described", doc: "The team's name; it owns the dataset where no member is named." },
        description: { shape: string, use: "ignored", doc: "What the team does." },
        members: { shape: listOf(member), use: "described", doc: "Its people." },
        tags: { shape: tags, use: "ignored", doc: "Labels." },
        customProperties: { shape: customProperties, use: "ignored", doc: "Properties of other tools." },
        authoritativeDefinitions: { shape: authoritativeDefinitions, use: "ignored", doc: "Links to definitions." },
      },
    },
    listOf(member),
  ],
};

/** Who may do what with the dataset. */
export const roles: Shape = listOf({
  type: "object",
  keys: {
    id: { shape: stableId, use: "ignored", doc: "Name for references." },
    role: { shape: string, required: true, use: "ignored", doc: "The role's name." },
    description: { shape: string, use: "ignored", doc: "What it is for." },
    access: { shape: string, use: "ignored", doc: "Read, write and so on." },
    firstLevelApprovers: { shape: string, use: "ignored", doc: "Who approves first." },
    secondLevelApprovers: { shape: string, use: "ignored", doc: "Who approves then." },
    customProperties: { shape: customProperties, use: "ignored", doc: "Properties of other tools." },
  },
});

/** Where users get help. */
export const support: Shape = listOf({
  type: "object",
  keys: {
    id: { shape: stableId, use: "ignored", doc: "Name for references." },
    channel: { shape: string, required: true, use: "ignored", doc: "The channel's name." },
    url: { shape: string, use: "ignored", doc: "Its address." },
    description: { shape: string, use: "ignored", doc: "What it is for." },
    tool: { shape: string, use: "ignored", doc: "Mail, chat and so on." },
    scope: { shape: string, use: "ignored", doc: "Interactive, announcements, issues." },
    invitationUrl: { shape: string, use: "ignored", doc: "Where to join." },
    customProperties: { shape: customProperties, use: "ignored", doc: "Properties of other tools." },
  },
});
