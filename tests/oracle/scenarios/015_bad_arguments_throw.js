'use strict';
// programming errors are thrown at once, not emitted
const { LO, net, rec, scenario } = require('./recorder');
scenario(__filename, 'CONN-15 CONN-16 LISTEN-19');

const tryIt = (what, f) => {
  try {
    f();
    rec('calls', what, 'no throw');
  } catch (e) {
    rec('calls', what, e.code);
  }
};
tryIt('connect port 65536', () => net.connect(65536, LO));
tryIt('connect port -1', () => net.connect({ port: -1, host: LO }));
tryIt('connect nothing', () => net.connect({}));
tryIt('listen port 65536', () => net.createServer().listen(65536));
tryIt('listen nothing', () => net.createServer().listen({}));
tryIt('write null', () => new net.Socket().write(null));
