import { ApiProperty } from '@nestjs/swagger';
import { SCOPES, type Scope } from '../../access/identity/caller';
import { ApiInstant, ApiList, ApiNextCursor, ApiText } from '../../http/docs/api-fields';

export class KeyResponse {
  @ApiText('4kQ0bZx81LpT', { description: 'Public id, which is also a part of the key' }) id!: string;
  @ApiText('acme') tenantId!: string;
  @ApiText('till 17') name!: string;
  @ApiProperty({ enum: [...SCOPES], enumName: 'KeyScope', isArray: true }) scopes!: Scope[];
  @ApiList(String, { nullable: true, example: ['203.0.113.0/24'], description: 'Null: all networks' }) allow!:
    string[] | null;
  @ApiText('admin', { description: 'Name of the operator who created the key' }) createdBy!: string;
  @ApiInstant() createdAt!: string;
  @ApiInstant({ nullable: true, description: 'Null: never' }) expiresAt!: string | null;
  @ApiInstant({ nullable: true }) revokedAt!: string | null;
  @ApiInstant({ nullable: true, description: 'Stored once a minute. Null: never' }) lastUsedAt!: string | null;
}

export class NewKeyResponse extends KeyResponse {
  @ApiText('sfk_4kQ0bZx81LpT_…', { description: 'The key. No other response contains it' }) key!: string;
}

export class KeysPage {
  @ApiList(KeyResponse, { description: 'Keys, newest first, expired and revoked ones included' }) keys!: KeyResponse[];
  @ApiNextCursor() nextCursor!: string | null;
}
