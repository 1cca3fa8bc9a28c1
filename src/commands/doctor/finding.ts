/** One thing that was looked at. `problem` keeps StreamForge from doing its job; `advice` does not. */
export interface Finding {
  what: string;
  verdict: 'ok' | 'advice' | 'problem';
  /** One sentence: what is so, and where it is wrong, how to set it right. */
  sentence: string;
}

export const ok = (what: string, sentence: string): Finding => ({ what, verdict: 'ok', sentence });
export const advice = (what: string, sentence: string): Finding => ({ what, verdict: 'advice', sentence });
export const problem = (what: string, sentence: string): Finding => ({ what, verdict: 'problem', sentence });

const SIGNS = { ok: 'ok     ', advice: 'advice ', problem: 'PROBLEM' };

export function report(findings: readonly Finding[]): string {
  const lines = findings.map(({ what, verdict, sentence }) => `${SIGNS[verdict]}  ${what.padEnd(11)} ${sentence}`);
  const count = (verdict: Finding['verdict']) => findings.filter((finding) => finding.verdict === verdict).length;
  return `${lines.join('\n')}\n\n${count('problem')} problems, ${count('advice')} pieces of advice\n`;
}

/** Whether a version such as `15.8 (Debian)` is at least `15` or `3.10`; numbers are compared as numbers. */
export function isAtLeast(version: string, least: string): boolean {
  const numbers = (text: string) => (/\d+(\.\d+)*/.exec(text)?.[0] ?? '0').split('.').map(Number);
  const found = numbers(version);
  for (const [i, wanted] of numbers(least).entries()) {
    if ((found[i] ?? 0) !== wanted) return (found[i] ?? 0) > wanted;
  }
  return true;
}
