import { ApiText } from '../../http/docs/api-fields';

export class SignInResponse {
  @ApiText('qL2mB7cJqk0Yd0y7bS7kW1m9', { description: 'The admin token, for X-Admin-Token' }) token!: string;
}
