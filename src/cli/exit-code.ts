/** What a command ends with; stable, for scripts. */
export const ExitCode = {
  /** Done, and nothing to report. */
  clean: 0,
  /** It could not be done. */
  error: 1,
  /** The command line was wrong. */
  usage: 2,
  /** Done, and something was found: failing rows, diagnostics, blocked sources. */
  findings: 3,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];
