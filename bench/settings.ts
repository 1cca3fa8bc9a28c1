/** Of every StreamForge that is started here. Limits that are never met, so that counting is part of what is measured. */
export const SETTINGS = {
  LOG_LEVEL: 'warn',
  PORT: '0',
  HOST: '127.0.0.1',
  TENANT_RATE_LIMIT_PER_MINUTE: '1000000000',
  ADMIN_RATE_LIMIT_PER_MINUTE: '1000000',
};
