import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import { CliError, EXIT, usageError } from './cli-error';
import { connectionOf, isReadableOnTheWay, type CliConnection, type NamedConnection } from './connection/connection';
import { isApiKey, operatorHeaders, tenantHeaders } from './connection/credentials';
import { profilePath, readProfiles } from './connection/profile-file';
import { ApiClient } from './http/api-client';
import { ask, askSecretly, canAsk, type Asking } from './terminal/ask';
import { Output, type Terminal } from './terminal/output';

/** The process around a command. */
export interface Surroundings {
  env: Record<string, string | undefined>;
  stdin: Readable & { isTTY?: boolean };
  stdout: Terminal;
  stderr: Terminal;
  /** Aborted by Ctrl C. */
  interrupted: AbortSignal;
}

/** The options that every command has. */
export interface GlobalOptions extends NamedConnection {
  json?: boolean;
}

/** What a command works with: its output, and the installation that it talks to. */
export class Cli {
  readonly out: Output;
  private connected: CliConnection | undefined;

  constructor(
    readonly around: Surroundings,
    private readonly options: GlobalOptions,
  ) {
    this.out = new Output(around.stdout, around.stderr, around.env, options.json === true);
  }

  get connection(): CliConnection {
    if (this.connected === undefined) {
      const { env } = this.around;
      this.connected = connectionOf(this.options, env, readProfiles(profilePath(env)));
      if (isReadableOnTheWay(this.connected.url)) {
        this.out.warn(`${this.connected.url} is not encrypted: others may read the token on its way. Use https.`);
      }
    }
    return this.connected;
  }

  /** Sends requests as an operator. Asks for the token where there is a person and none is set. */
  async operator(): Promise<ApiClient> {
    const { url, token } = this.connection;
    return new ApiClient(url, operatorHeaders(token ?? (await this.askToken(url))));
  }

  /** Sends a tenant's events. Asks for the tenant where there is a person, and neither a key nor a tenant is set. */
  async producer(): Promise<ApiClient> {
    const { url, token, key = isApiKey(token) ? token : undefined, tenant } = this.connection;
    return new ApiClient(url, tenantHeaders(key, key === undefined ? (tenant ?? (await this.askTenant())) : tenant));
  }

  /** Sends requests without credentials. */
  anybody(): ApiClient {
    return new ApiClient(this.connection.url, {});
  }

  /** The tenant that a command must have. */
  async tenant(): Promise<string> {
    return this.connection.tenant ?? (await this.askTenant());
  }

  /** Asks before something is changed. `--yes` answers it. @throws CliError when there is nobody to ask */
  async confirm(question: string, yes: boolean | undefined): Promise<boolean> {
    if (yes === true) return true;
    if (!canAsk(this.asking)) throw usageError(`${question} Say --yes to do it without being asked.`);
    return /^y(es)?$/i.test(await ask(this.asking, `${question} [y/N] `));
  }

  async ask(question: string, secret = false): Promise<string> {
    return secret ? askSecretly(this.asking, question) : ask(this.asking, question);
  }

  get asksPeople(): boolean {
    return canAsk(this.asking);
  }

  /** All of standard input. */
  async input(): Promise<string> {
    if (this.around.stdin.isTTY === true) this.out.note('Reading standard input, up to Ctrl D.');
    return text(this.around.stdin);
  }

  private get asking(): Asking {
    return { stdin: this.around.stdin, stderr: this.around.stderr };
  }

  private async askToken(url: string): Promise<string> {
    if (!canAsk(this.asking)) {
      throw new CliError(
        'There is no operator token. Set STREAMFORGE_TOKEN, or run "streamforge profiles add NAME". "npm start" prints the token of a new installation.',
        EXIT.denied,
      );
    }
    const token = await askSecretly(this.asking, `Operator token for ${url}: `);
    if (token === '') throw new CliError('No token was entered.', EXIT.denied);
    return token;
  }

  private async askTenant(): Promise<string> {
    if (!canAsk(this.asking)) throw usageError('There is no tenant. Say --tenant, or set STREAMFORGE_TENANT.');
    const tenant = await ask(this.asking, 'Tenant: ');
    if (tenant === '') throw usageError('No tenant was entered.');
    return tenant;
  }
}

/** Runs a command's work with the options that it and its parents have. */
export type Work<O> = (cli: Cli, options: O, operands: string[]) => Promise<void>;

/** Adds the work of a command. */
export type Adding = (program: Command, run: <O>(work: Work<O>) => (...args: unknown[]) => Promise<void>) => void;
