import type { Server } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { SETTINGS_TOKEN, type Settings } from '../../config/settings';

/** The URL of this installation, as producers call it. */
@Injectable()
export class PublicUrl {
  private known: string | undefined;

  constructor(
    @Inject(SETTINGS_TOKEN) private readonly settings: Pick<Settings, 'PUBLIC_URL' | 'HOST' | 'PORT'>,
    private readonly adapter: HttpAdapterHost,
  ) {}

  /** PUBLIC_URL without a slash at its end. Without that setting, the address that this process listens on. */
  base(): string {
    return (this.known ??= this.settings.PUBLIC_URL?.replace(/\/+$/, '') ?? this.ownAddress());
  }

  ofSource(token: string): string {
    return `${this.base()}/in/${token}`;
  }

  private ownAddress(): string {
    const { HOST, PORT } = this.settings;
    const address = (this.adapter.httpAdapter.getHttpServer() as Server).address();
    const port = typeof address === 'object' && address ? address.port : PORT;
    const host = HOST === '0.0.0.0' || HOST === '::' ? 'localhost' : HOST.includes(':') ? `[${HOST}]` : HOST;
    return `http://${host}:${port}`;
  }
}
