import '../runtime/require-node';
import { runCommand } from '../runtime/command';
import { askReadiness } from './healthcheck/ask-readiness';

runCommand(
  {
    name: 'node dist/src/commands/healthcheck.js',
    summary: "The container's HEALTHCHECK: exit code 0 when the StreamForge at PORT of this machine is ready.",
    options: {},
  },
  () => askReadiness(Number(process.env.PORT) || 3000),
);
