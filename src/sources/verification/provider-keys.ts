import { Injectable } from '@nestjs/common';
import type { VerifierTools } from './verifier';

/** Fetches keys of providers. */
@Injectable()
export class ProviderKeys implements VerifierTools {}
