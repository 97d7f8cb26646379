/** What holds where a contract says nothing. */
export const settingDefaults = {
  window: { rows: 50_000, bytes: 32 * 1024 * 1024, seconds: 10 },
  oversizedBytes: 16 * 1024 * 1024,
  drift: {
    rollingWindows: 20,
    seasonalDays: 8,
    tickRows: 50_000,
    tickSeconds: 300,
    warmupWindows: 5,
    tests: ["psi"],
    falseAlarmDays: 30,
  },
} as const;
