import { loadFile, withHeaders, type Proof } from '../../../../support/sources/proof';
import { handshakeSamples } from '../../handshakes/documented-exchanges';

interface WhatsAppPackage {
  generateXHub256Sig: (body: string, appSecret: string) => string;
}

const MESSAGE =
  '{"id":"102290129340398","changes":[{"field":"messages","value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550783881","phone_number_id":"106540352242922"},"contacts":[{"wa_id":"4915112345678","profile":{"name":"J\\u00fcrgen"}}],"messages":[{"from":"4915112345678","id":"wamid.HBgNNDkxNTExMjM0NTY3OBUCABIYFjNBMDI=","timestamp":"1795953598","type":"text","text":{"body":"hello"}}]}}]}';
const MESSENGER =
  '{"id":"1755847768034402","time":1795953598123,"messaging":[{"sender":{"id":"7"},"recipient":{"id":"1755847768034402"},"timestamp":1795953598000,"message":{"mid":"m_1","text":"hi"}}]}';
const FEED = '{"id":"1","time":1795953598,"changes":[{"field":"feed","value":{"item":"status","verb":"add"}}]}';
const LEAD = '{"id":"2","time":1795953598,"changes":[{"field":"leadgen","value":{"leadgen_id":"44"}}]}';

export const proof: Proof = {
  provider: 'meta',
  outside: { signs: 'whatsapp@0.0.5-Alpha: generateXHub256Sig' },
  secrets: ['0123456789abcdef0123456789abcdef', 'fedcba9876543210fedcba9876543210'],
  async sign(request, secret) {
    const { generateXHub256Sig } = await loadFile<WhatsAppPackage>('whatsapp/build/utils.js');
    return withHeaders(request, { 'x-hub-signature-256': `sha256=${generateXHub256Sig(request.body, secret)}` });
  },
  signed: ['x-hub-signature-256'],
  samples: [
    {
      request: { body: `{"object":"whatsapp_business_account","entry":[${MESSAGE}]}` },
      events: [{ eventType: 'messages', subject: '102290129340398', payload: MESSAGE }],
    },
    {
      request: { body: `{"object":"page","entry":[${MESSENGER}]}` },
      events: [{ eventType: 'page', subject: '1755847768034402', payload: MESSENGER }],
    },
    {
      request: { body: `{"object":"page","entry":[${FEED},${LEAD}]}` },
      events: [
        { eventType: 'feed', subject: '1', payload: FEED },
        { eventType: 'leadgen', subject: '2', payload: LEAD },
      ],
    },
  ],
  handshakes: handshakeSamples('meta'),
};
