create table people (person_id varchar, team varchar);
insert into people values ('ann', 'research'), ('bob', 'support');

create table sessions (session_id varchar, started_at timestamp, owner varchar, agent varchar, is_root boolean, result varchar);
insert into sessions values
  ('s1', '2026-01-31 23:30', 'ann', 'writer', true, 'success'),
  ('s2', '2026-03-07 12:00', 'ann', 'writer', true, 'failure'),
  ('s3', '2026-03-09 03:30', 'bob', 'tester', false, 'success'),
  ('s4', '2026-03-09 05:00', 'eve', 'tester', true, null),
  ('s5', '2026-03-30 22:30', 'bob', null, true, 'failure');

create table calls (call_id varchar, session_id varchar, called_at timestamp, model varchar, cost_usd decimal(38,12));
insert into calls values
  ('c1', 's1', '2026-01-31 23:31', 'large', 1.25), ('c2', 's1', '2026-02-01 00:10', 'small', 0.125),
  ('c3', 's2', '2026-03-07 12:01', 'large', 2.5),  ('c4', 's2', '2026-03-07 12:02', 'large', 0.5),
  ('c5', 's3', '2026-03-09 03:31', 'small', null), ('c6', 's4', '2026-03-09 05:01', 'tiny', null),
  ('c7', 's5', '2026-03-30 22:31', 'small', 0.25), ('c8', null, '2026-03-31 08:00', 'large', 4);

create table bills (bill_id varchar, paid_on date, vendor varchar, amount_usd decimal(38,12));
insert into bills values
  ('b1', '2026-02-20', 'cloud', 200), ('b2', '2026-03-15', 'cloud', 90), ('b3', '2026-03-31', 'tools', 30),
  ('b4', '2026-04-02', 'cloud', 60);

create table balances (account varchar, as_of_on date, bank varchar, balance_usd decimal(38,12));
insert into balances values
  ('ops', '2026-02-10', 'old', 900), ('ops', '2026-03-20', 'new', 500), ('pay', '2026-03-05', 'old', 100),
  ('tax', '2026-03-25', 'new', null);
