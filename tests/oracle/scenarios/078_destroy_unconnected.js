'use strict';
// destroy() on sockets that never connected
const { mark, net, rec, scenario, watch } = require('./recorder');
scenario(__filename, 'DEST-11 CLOSE-1 DEST-2');

const a = watch('plain', new net.Socket());
a.destroy();
mark('plain', 'destroy() returned');
const b = new net.Socket();
b.on('error', (e) => rec('with_error', 'error', e.code));
b.on('close', () => rec('with_error', 'close'));
b.destroy(Object.assign(new Error('x'), { code: 'E_X' }));
mark('with_error', 'destroy() returned');
