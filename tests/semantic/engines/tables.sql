create table events (id varchar, team varchar, seen_at timestamp, day date, n integer, usd decimal(38,12), ok boolean);
insert into events values
  ('1', 'a',  '2026-03-29 00:59:59.999999', '2026-03-28', 1,    0.1,             true),
  ('2', 'a',  '2026-03-29 01:00:00',        '2026-03-29', 2,    3.333333333333,  false),
  ('3', 'a',  '2026-10-25 00:30:00',        '2026-03-29', 5,    null,            null),
  ('4', 'b',  '2026-10-25 01:30:00',        '2024-02-29', -3,   12345678.9,      true),
  ('5', 'b',  '2026-04-04 14:45:00',        '2025-12-31', 0,    0.000000000001,  true),
  ('6', 'b',  '2026-04-04 15:15:00',        '2026-01-01', null, -2.5,            false),
  ('7', null, '1905-06-30 12:00:00',        '1905-06-30', 7,    2.5,             true),
  ('8', null, '2199-12-31 23:00:00',        '2199-12-31', 7,    -0.125,          null),
  ('9', 'Ä',  null,                         null,         10,   999999999.99,    true),
  ('10', 'x\y_%''z', '2026-04-04 15:15:00', '2026-01-04', 1,   null,            null);
create table plans (account varchar, since date, until date, plan varchar);
insert into plans values
  ('p', '2026-01-01', '2026-02-01', 'free'), ('p', '2026-03-01', null, 'paid'), ('q', '2026-02-15', null, 'free');
create table balances (account varchar, day date, usd decimal(38,12));
insert into balances values
  ('p', '2026-01-10', 100), ('p', '2026-02-20', null), ('p', '2026-03-05', 40.5), ('q', '2026-02-28', 7),
  (null, '2026-01-31', 1);
create table nothing (id varchar, team varchar, seen_at timestamp, day date, n integer, usd decimal(38,12));
