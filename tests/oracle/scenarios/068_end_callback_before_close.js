'use strict';
// 'finish' once, with writable flags, before close
const { LO, later, net, rec, scenario, watch } = require('./recorder');
scenario(__filename, 'END-4 END-10 END-11 CLOSE-1');

const srv = net.createServer({ allowHalfOpen: true }, (s) => {
  s.resume();
  s.on('end', () => later(60, () => s.end()));
  s.on('close', () => srv.close());
});
srv.listen(0, LO, () => {
  const c = watch('client', net.connect(srv.address().port, LO), {
    data: false,
  });
  c.resume();
  c.on('finish', () =>
    rec(
      'client',
      'finish',
      c.writableEnded,
      c.writableFinished,
      c.writableLength,
    ),
  );
  c.on('connect', () => {
    rec('client', 'flags', c.writableEnded, c.writableFinished);
    c.end('abc');
    rec('client', 'flags', c.writableEnded, c.writableFinished);
  });
});
