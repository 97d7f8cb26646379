const unitMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A span as people write one, `90s`, `15m`, `2h` or `7d`, in milliseconds; null for any other text. */
export function spanMs(text: string): number | null {
  const span = /^(\d{1,9})([smhd])$/.exec(text);
  return span === null ? null : Number(span[1]) * unitMs[span[2] as keyof typeof unitMs];
}
