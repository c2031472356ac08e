'use strict';
// host name that cannot resolve (custom lookup, so no DNS traffic)
const { mark, net, rec, scenario, watch } = require('./recorder');
scenario(__filename, 'CONN-9 CONN-6 CLOSE-3 ERR-4');

const lookup = (host, opts, cb) =>
  setImmediate(() => {
    const e = new Error('nope');
    e.code = 'ENOTFOUND';
    e.syscall = 'getaddrinfo';
    cb(e);
  });
const c = net.connect({
  host: 'no-such-host.invalid',
  port: 9,
  family: 4,
  lookup,
});
mark('client', 'connect() returned');
c.on('lookup', (err, addr, fam, host) =>
  rec(
    'client',
    'lookup',
    err && err.code,
    addr === undefined ? null : addr,
    host,
  ),
);
watch('client', c);
c.on('error', (e) => rec('client', 'error-syscall', e.syscall));
