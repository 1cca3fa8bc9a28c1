import { IsString, Length } from 'class-validator';
import { ApiText } from '../../http/docs/api-fields';

const MOST_CODE = 100;

export class SignInRequest {
  @ApiText('Vb2m0p2m8cJqk0Yd0y7bS7kW1m9s5n3x', {
    minLength: 1,
    maxLength: MOST_CODE,
    description: 'What follows `#code=` in the link',
  })
  @IsString()
  @Length(1, MOST_CODE)
  code!: string;
}
