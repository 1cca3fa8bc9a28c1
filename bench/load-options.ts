import { parseArgs } from 'node:util';
import { positive } from '#bench/options';

export interface LoadOptions {
  /** Undefined: starts its own all-in-one StreamForge. */
  url: string | undefined;
  count: number;
  connections: number;
  tenant: string;
  adminToken: string | undefined;
  /** The time in which accepted events must be COMPLETED after the last response. */
  deadlineSeconds: number;
  lines: number;
  format: 'ndjson' | 'xml';
}

/** @throws Error that explains what is wrong with the command line. */
export function loadOptions(args: string[], defaults: { count: number; connections: number }): LoadOptions {
  const { values } = parseArgs({
    args,
    options: {
      url: { type: 'string' },
      count: { type: 'string', default: String(defaults.count) },
      connections: { type: 'string', default: String(defaults.connections) },
      tenant: { type: 'string', default: 'load' },
      'admin-token': { type: 'string' },
      deadline: { type: 'string', default: '120' },
      lines: { type: 'string', default: '1000' },
      format: { type: 'string', default: 'ndjson' },
    },
  });
  const { format } = values;
  if (format !== 'ndjson' && format !== 'xml') throw new Error(`--format must be ndjson or xml, not ${format}`);
  return {
    url: values.url,
    count: positive('--count', values.count),
    connections: positive('--connections', values.connections),
    tenant: values.tenant,
    adminToken: values['admin-token'],
    deadlineSeconds: positive('--deadline', values.deadline),
    lines: positive('--lines', values.lines),
    format,
  };
}
