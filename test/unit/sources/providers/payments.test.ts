import { proveRoom } from '../../../support/sources/prove-room';
import { proof as adyen } from './payments/adyen.proof';
import { proof as coinbaseCommerce } from './payments/coinbase-commerce.proof';
import { proof as gocardless } from './payments/gocardless.proof';
import { proof as mollie } from './payments/mollie.proof';
import { proof as paddle } from './payments/paddle.proof';
import { proof as razorpay } from './payments/razorpay.proof';
import { proof as square } from './payments/square.proof';
import { proof as stripe } from './payments/stripe.proof';

proveRoom([adyen, coinbaseCommerce, gocardless, mollie, paddle, razorpay, square, stripe]);
