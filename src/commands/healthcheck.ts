import '../runtime/require-node';
import { runCommand } from '../runtime/command';
import { askReadiness } from './healthcheck/ask-readiness';

runCommand(
  {
    name: 'node dist/src/commands/healthcheck.js',
    summary: "The container's HEALTHCHECK. The exit code is 0 if StreamForge is ready at PORT of this machine.",
    options: {},
  },
  () => askReadiness(Number(process.env.PORT) || 3000),
);
