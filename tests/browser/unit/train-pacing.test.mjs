import assert from "node:assert/strict";
import test from "node:test";
import { Budget, StepPacer } from "../../../www/js/train/pacing.js";

test("calls come to take about the time asked for", () => {
  for (const stepMs of [0.4, 3, 40, 290, 5000]) {
    const pacer = new StepPacer(300);
    for (let call = 0; call < 20; call++) pacer.record(pacer.count, pacer.count * stepMs);
    const took = pacer.count * stepMs;
    if (stepMs > 300) assert.equal(pacer.count, 1);
    else assert.ok(took >= 200 && took <= 400, `${stepMs} ms a step: ${took}`);
  }
});

test("one fast call does not ask for a long one", () => {
  const pacer = new StepPacer(300);
  pacer.record(1, 0.01);
  assert.equal(pacer.count, 2);
  pacer.record(2, 100_000);
  assert.equal(pacer.count, 1);
});

test("looking takes no more than its share of the time", () => {
  for (const [lookMs, stepMs] of [[20, 300], [400, 300], [2000, 300], [5, 5]]) {
    const budget = new Budget({ leastMs: 1000, share: 0.15 });
    let now = 0;
    let looking = 0;
    let looks = 0;
    while (now < 200_000) {
      now += stepMs;
      if (!budget.due(now)) continue;
      now += lookMs;
      looking += lookMs;
      looks += 1;
      budget.record(now, lookMs);
    }
    assert.ok(looking / now <= 0.151, `${lookMs} ms: ${looking / now}`);
    assert.ok(looks <= now / 1000 + 1, "at most once a second");
    assert.ok(looks > 5, "and now and then");
  }
});

test("an expired budget is due at once", () => {
  const budget = new Budget({ leastMs: 1000, share: 0.15 });
  assert.ok(budget.due(0));
  budget.record(10, 10);
  assert.ok(!budget.due(500));
  budget.expire();
  assert.ok(budget.due(500));
});
