'use strict';
// setNoDelay / setKeepAlive / setTimeout / setEncoding chain at any time, no
// events
const { LO, net, rec, scenario, watch } = require('./recorder');
scenario(__filename, 'OPT-1 OPT-2 OPT-3 ACC-9');

const srv = net.createServer(
  { noDelay: true, keepAlive: true, keepAliveInitialDelay: 60000 },
  (s) => {
    rec(
      'server_socket',
      'chain',
      s.setNoDelay() === s,
      s.setNoDelay(false) === s,
      s.setKeepAlive(true, 1000) === s,
      s.setKeepAlive() === s,
    );
    s.end('ok');
    s.on('close', () => srv.close());
  },
);
srv.listen(0, LO, () => {
  const c = new net.Socket();
  rec(
    'client',
    'before',
    c.setNoDelay(true) === c,
    c.setKeepAlive(true, 2000) === c,
    c.setTimeout(0) === c,
    c.setEncoding('utf8') === c,
  );
  watch('client', c.connect(srv.address().port, LO));
  c.on('connect', () =>
    rec(
      'client',
      'after',
      c.setNoDelay(false) === c,
      c.setKeepAlive(false) === c,
    ),
  );
  c.on('close', () =>
    rec(
      'client',
      'closed',
      c.setNoDelay(true) === c,
      c.setKeepAlive(true) === c,
    ),
  );
});
