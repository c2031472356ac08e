'use strict';
// unusable key material throws at once from createServer / createSecureContext
const { pem, rec, scenario, server_options, tls } = require('./tls_recorder');
scenario(__filename, 'TLSCFG-1 TLSCFG-2');

const tryIt = (what, f) => {
  try {
    f();
    rec('calls', what, 'no throw');
  } catch (e) {
    rec('calls', what, 'throws');
  }
};
tryIt('good', () => tls.createServer(server_options()));
tryIt('mismatched key', () =>
  tls.createServer(server_options({ key: pem('client-key.pem') })),
);
tryIt('wrong passphrase', () =>
  tls.createServer(
    server_options({ key: pem('server-key-enc.pem'), passphrase: 'nope' }),
  ),
);
tryIt('right passphrase', () =>
  tls.createServer(
    server_options({
      key: pem('server-key-enc.pem'),
      passphrase: 'oracle-pass',
    }),
  ),
);
tryIt('garbage cert', () =>
  tls.createServer(server_options({ cert: 'not a cert' })),
);
tryIt('pfx wrong passphrase', () =>
  tls.createServer({ pfx: pem('server.pfx'), passphrase: 'nope' }),
);
tryIt('pfx', () =>
  tls.createServer({ pfx: pem('server.pfx'), passphrase: 'oracle-pass' }),
);
tryIt('unknown cipher', () =>
  tls.createServer(server_options({ ciphers: 'NO-SUCH-CIPHER' })),
);
tryIt('bad version name', () =>
  tls.createSecureContext({ minVersion: 'SSLv9' }),
);
