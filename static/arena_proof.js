// A proof of work, as altcha's widget does it: the number whose SHA-256 behind a salt is the challenge. The hash is
// written out here, since browsers offer theirs on secure origins only, and one call at a time.
(() => {
  const roots = (power, count) => {
    const found = [];
    for (let n = 2; found.length < count; n++) {
      let prime = true;
      for (let d = 2; d * d <= n && prime; d++) prime = n % d !== 0;
      if (prime) found.push(((n ** power % 1) * 2 ** 32) | 0);
    }
    return found;
  };
  const START = roots(1 / 2, 8), K = roots(1 / 3, 64), W = new Int32Array(64); // FIPS 180-4, sections 4.2.2 and 5.3.3
  const turn = (x, by) => (x >>> by) | (x << (32 - by));

  function sha256(text) { // of ASCII
    const blocks = ((text.length + 8) >> 6) + 1, data = new Uint8Array(64 * blocks);
    for (let i = 0; i < text.length; i++) data[i] = text.charCodeAt(i);
    data[text.length] = 0x80;
    const view = new DataView(data.buffer), h = [...START];
    view.setUint32(data.length - 4, 8 * text.length);
    for (let at = 0; at < data.length; at += 64) {
      for (let i = 0; i < 16; i++) W[i] = view.getInt32(at + 4 * i);
      for (let i = 16; i < 64; i++) {
        const a = W[i - 15], b = W[i - 2];
        W[i] = (W[i - 16] + (turn(a, 7) ^ turn(a, 18) ^ (a >>> 3)) + W[i - 7] + (turn(b, 17) ^ turn(b, 19) ^ (b >>> 10))) | 0;
      }
      let [a, b, c, d, e, f, g, k] = h;
      for (let i = 0; i < 64; i++) {
        const one = (k + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + K[i] + W[i]) | 0;
        const two = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
        k = g; g = f; f = e; e = (d + one) | 0; d = c; c = b; b = a; a = (one + two) | 0;
      }
      [a, b, c, d, e, f, g, k].forEach((value, place) => { h[place] = (h[place] + value) | 0; });
    }
    return h.map((value) => (value >>> 0).toString(16).padStart(8, "0")).join("");
  }

  async function proof({ algorithm, challenge, salt, signature, maxnumber }) {
    for (let number = 0; number <= maxnumber; number++) {
      if (sha256(salt + number) === challenge) return btoa(JSON.stringify({ algorithm, challenge, number, salt, signature }));
      if (number % 2000 === 1999) await new Promise((done) => setTimeout(done)); // the page goes on meanwhile
    }
    return "";
  }

  Object.assign(window.llmuses, { arenaProof: proof });
})();
