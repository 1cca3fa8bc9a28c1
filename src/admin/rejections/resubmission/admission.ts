import { Inject, Injectable } from '@nestjs/common';
import { AccessDirectory } from '../../../access/identity/access-directory';
import { TenantAccess } from '../../../access/tenant-access';
import { SETTINGS_TOKEN, type Settings } from '../../../config/settings';
import type { RecordRejection } from '../../../event/prepare-event';
import type { Rejection } from '../../../rejections/rejection';
import { SourceRegistry } from '../../../sources/directory/source-registry';
import { sourceRefusal } from '../../../sources/directory/source-refusal';

/** Says whether the tenant and the source of a rejection take records now. What the producer may not send, nobody may. */
@Injectable()
export class Admission {
  constructor(
    @Inject(SETTINGS_TOKEN) private readonly settings: Pick<Settings, 'TENANT_ALLOWLIST'>,
    private readonly tenants: TenantAccess,
    private readonly directory: AccessDirectory,
    private readonly sources: SourceRegistry,
  ) {}

  /** Returns what the producer would be refused with: `source-unavailable` for a source, else the code of its tenant. */
  async refusalOf({
    tenantId,
    sourceId,
  }: Pick<Rejection, 'tenantId' | 'sourceId'>): Promise<RecordRejection | undefined> {
    const problem =
      sourceId === null
        ? await this.tenants.refusalOf({ kind: 'header', tenantId }, '')
        : await this.refusalOfSource(sourceId);
    return problem && { code: problem.code, message: problem.detail, errors: [] };
  }

  /** A source that is deleted refuses nothing here: ReadAgain says that it does not exist. */
  private async refusalOfSource(sourceId: string) {
    await Promise.all([this.sources.ensureFresh(), this.directory.ensureFresh()]);
    const source = this.sources.withId(sourceId);
    return source && sourceRefusal(source, { directory: this.directory, allowlist: this.settings.TENANT_ALLOWLIST });
  }
}
