import '../runtime/require-node';
import { runCommand } from '../runtime/command';
import { diagnose } from './doctor/diagnose';
import { report } from '../db/condition/finding';

runCommand(
  {
    name: 'npm run doctor',
    summary:
      'Checks every setting, version and dependency. Prints one sentence per problem: what is wrong and what to do.\n' +
      'Changes nothing. The exit code is 1 if a problem keeps StreamForge from working.',
    options: {},
  },
  async () => {
    const findings = await diagnose(process.env);
    process.stdout.write(report(findings));
    if (findings.some(({ severity }) => severity === 'problem')) process.exitCode = 1;
  },
);
