import { Module } from '@nestjs/common';
import { AdminAccess } from './admin-access';
import { AdminToken } from './admin-token';

/** Access control of the admin endpoints. */
@Module({ providers: [AdminToken, AdminAccess], exports: [AdminToken, AdminAccess] })
export class AccessModule {}
