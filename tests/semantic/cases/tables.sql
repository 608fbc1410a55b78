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

-- Runs of agents. r10 is undated, r03 never ended; r01 and r02, and r08 and r09, began at one instant.
create table runs (
  run_id varchar, agent varchar, customer varchar, started_at timestamp, ended_at timestamp, billed_on date, tokens integer
);
insert into runs values
  ('r01', 'writer',  'acme',  '2026-03-02 09:15', '2026-03-02 09:45', '2026-03-02', 100),
  ('r02', 'writer',  'acme',  '2026-03-02 09:15', '2026-03-03 00:30', '2026-03-02', 300),
  ('r03', 'writer',  'birch', '2026-03-05 14:00', null,               null,         null),
  ('r04', 'writer',  'cedar', '2026-03-31 23:50', '2026-04-01 00:20', '2026-03-31', 200),
  ('r05', 'tester',  'acme',  '2026-03-03 09:59', '2026-03-03 10:05', '2026-03-03', 50),
  ('r06', 'tester',  null,    '2026-03-10 10:00', '2026-03-10 10:10', '2026-03-10', 70),
  ('r07', 'planner', null,    '2026-03-04 08:00', '2026-03-04 08:30', '2026-03-04', null),
  ('r08', null,      'birch', '2026-03-08 09:30', '2026-03-08 11:00', '2026-03-08', 500),
  ('r09', null,      'birch', '2026-03-08 09:30', '2026-03-08 09:40', '2026-04-02', 20),
  ('r10', 'writer',  'dune',  null,               null,               null,         900),
  ('r11', 'critic',  'cedar', '2026-03-06 12:00', '2026-03-06 12:01', '2026-03-06', null),
  ('r12', 'planner', null,    '2026-03-04 07:00', '2026-03-04 07:30', '2026-03-04', 40),
  ('r13', 'critic',  null,    '2026-03-01 00:00', '2026-03-01 00:10', '2026-03-01', null),
  ('r14', 'critic',  'cedar', '2026-02-28 15:00', '2026-03-01 00:00', '2026-03-01', null);

-- Signs of life around Berlin's day of 25 hours, which lasts from 2026-10-24 22:00 to 2026-10-25 23:00 UTC.
create table beats (beat_id varchar, beat_at timestamp);
insert into beats values
  ('b1', '2026-10-24 21:59'), ('b2', '2026-10-24 22:00'), ('b3', '2026-10-25 00:30'), ('b4', '2026-10-25 01:30'),
  ('b5', '2026-10-25 01:45'), ('b6', '2026-10-25 22:59'), ('b7', '2026-10-25 23:00');

-- A ticket is followed by a patch in its repository, the patch by a deploy. p4 answers two tickets, p3 none.
create table tickets (ticket_id varchar, repo varchar, severity varchar, opened_at timestamp);
insert into tickets values
  ('t1', 'app',  'major',   '2026-03-01 09:00'), ('t2', 'app',  'minor',   '2026-03-02 12:00'),
  ('t3', 'web',  'major',   '2026-03-03 08:00'), ('t4', 'web',  'minor',   '2026-03-03 08:20'),
  ('t5', null,   'major',   '2026-03-04 10:00'), ('t6', 'app',  'minor',   null),
  ('t7', 'docs', 'trivial', '2026-03-05 10:00'), ('t8', 'lib',  'minor',   '2026-03-06 10:00'),
  ('t9', 'ops',  'trivial', '2026-03-07 00:00'), ('t10', 'net', 'trivial', '2026-02-10 00:00'),
  ('t11', 'cli', 'major',   '2026-03-10 08:00');

create table patches (patch_id varchar, repo varchar, proposed_at timestamp, is_accepted boolean);
insert into patches values
  ('p1', 'app',  '2026-03-01 09:00', true),  ('p2', 'app',  '2026-03-03 12:00', true),
  ('p3', 'web',  '2026-03-03 08:30', false), ('p4', 'web',  '2026-03-03 09:00', true),
  ('p5', null,   '2026-03-04 10:05', true),  ('p6', 'lib',  '2026-03-06 10:30', true),
  ('p7', 'lib',  '2026-03-06 10:30', true),  ('p8', 'docs', '2026-03-05 09:59', true),
  ('p9', 'cli',  '2026-03-10 08:00', true),  ('p10', 'cli', '2026-03-11 08:00', true);

create table deploys (deploy_id varchar, target varchar, deployed_at timestamp);
insert into deploys values
  ('d1', 'app', '2026-03-01 10:00'), ('d2', 'web', '2026-03-03 08:45'), ('d3', 'web', '2026-03-04 08:10'),
  ('d4', 'lib', '2026-03-06 10:30'), ('d5', 'cli', '2026-03-11 08:00');

create table releases (release_id varchar, repo varchar, released_on date);
insert into releases values
  
  ('rel1', 'app', '2026-03-01'), ('rel2', 'web', '2026-03-05'), ('rel3', 'docs', '2026-05-01'), ('rel4', 'lib', '2026-05-02'),
  ('rel5', 'ops', '2026-03-07'), ('rel6', 'net', '2026-04-10');

-- What was used on which day. u06 and u18 do not know their cost, u15 not its day, u14 lies ahead of 2026-05-01.
create table usage (usage_id varchar, used_on date, region varchar, model varchar, tokens integer, cost_usd decimal(38,12));
insert into usage values
  ('u01', '2025-12-31', 'east',  'large', 100,  10), ('u02', '2026-01-31', 'east',  'large', 200,  20),
  ('u03', '2026-01-31', 'west',  'small', 50,   5),  ('u04', '2026-02-01', 'east',  'large', 300,  30),
  ('u05', '2026-02-09', 'west',  'large', 40,   10), ('u06', '2026-02-28', 'west',  'small', 60,   null),
  ('u07', '2026-03-03', 'east',  'small', 80,   8),  ('u08', '2026-03-04', 'east',  'large', 500,  40),
  ('u09', '2026-03-17', null,    'large', 120,  12), ('u10', '2026-03-18', 'west',  'small', 30,   0),
  ('u11', '2026-03-31', 'west',  'small', 70,   5),  ('u12', '2026-04-30', 'east',  'large', 400,  50),
  ('u13', '2026-05-01', 'east',  'small', 25,   3),  ('u14', '2026-05-10', 'west',  'large', 900,  99),
  ('u15', null,         'west',  'small', 10,   7),  ('u16', '2026-02-15', 'east',  'tiny',  10,   0),
  ('u17', '2026-03-14', 'east',  'tiny',  20,   4),  ('u18', '2026-02-20', 'north', 'small', null, null),
  ('u19', '2026-03-21', 'west',  'tiny',  15,   1),  ('u20', '2026-01-05', 'south', 'small', 40,   2),
  ('u21', '2026-04-01', 'east',  'large', 10,   1),  ('u22', '2026-03-01', null,    'large', 30,   3),
  ('u23', '2026-01-01', 'east',  'large', 50,   5),  ('u24', '2026-03-25', 'west',  'tiny',  5,    2);

-- Seats of workspaces as they were counted; two counts of one day are told apart by their source.
create table seats (workspace varchar, counted_on date, source varchar, plan varchar, seats integer);
insert into seats values
  ('alpha', '2026-01-10', 'badge',  'team', 5), ('alpha', '2026-01-20', 'badge', 'team', 9),
  ('alpha', '2026-01-31', 'badge',  'team', 7), ('alpha', '2026-01-31', 'survey', 'team', 8),
  ('beta',  '2026-01-15', 'badge',  'solo', 1), ('beta',  '2026-03-05', 'survey', 'solo', 2),
  ('beta',  '2026-03-05', 'badge',  'solo', 6), ('beta',  '2026-03-25', 'badge', 'team', 1),
  ('gamma', '2026-02-02', 'badge',  'solo', null), ('gamma', '2026-02-12', 'badge', 'solo', 3),
  ('delta', '2026-01-01', 'badge',  'team', 30), ('delta', '2026-02-28', 'badge', 'team', 4),
  ('epsilon', '2026-03-01', 'badge', 'solo', 10), ('epsilon', '2026-03-15', 'badge', 'solo', 20);

-- Jobs run in batches, batches on clusters, clusters are rented of vendors; at each join something is missing.
create table vendors (vendor varchar, country varchar);
insert into vendors values ('nord', 'se'), ('sud', 'it');

create table clusters (cluster varchar, vendor varchar);
insert into clusters values ('c1', 'nord'), ('c2', 'sud'), ('c3', 'gone'), ('c4', null);

create table batches (batch_id varchar, cluster varchar, owner varchar, is_urgent boolean);
insert into batches values
  ('k1', 'c1', 'ann', true), ('k2', 'c1', 'bob', false), ('k3', 'c2', 'ann', null), ('k4', 'c3', 'cleo', true),
  ('k5', 'c4', null, false), ('k6', 'lost', 'bob', true), ('k7', 'c2', 'ann', false);

-- Tariffs of a model: the first of 'large' ends where the next begins, the second ends before the third begins.
create table tariffs (model varchar, valid_from timestamp, valid_until timestamp, tier varchar, usd_per_token decimal(18,6));
insert into tariffs values
  ('large', '2026-01-01', null, 'list', 0.5), ('large', '2026-03-01', '2026-03-15', 'promo', 0.25),
  ('large', '2026-04-01', null, 'list', 0.75), ('small', '2026-02-01', null, 'basic', 0.125);

create table jobs (job_id varchar, batch_id varchar, model varchar, submitted_at timestamp, quoted_at timestamp, tokens integer);
insert into jobs values
  ('j1', 'k1', 'large', '2026-02-28 23:59', '2026-02-20', 10), ('j2', 'k1', 'large', '2026-03-01 00:00', '2026-03-01', 20),
  ('j3', 'k2', 'large', '2026-03-15 00:00', '2026-03-15', 30), ('j4', 'k3', 'large', '2026-04-01 00:00', null, 40),
  ('j5', 'k4', 'small', '2026-01-31 12:00', '2026-02-02', 50), ('j6', 'k5', 'small', '2026-02-10 12:00', '2026-02-01', 60),
  ('j7', 'k6', null, '2026-03-02 12:00', '2026-03-02', 70), ('j8', 'nope', 'large', null, '2026-04-02', 80),
  ('j9', null, 'small', '2026-03-03 12:00', '2026-01-31', null);

-- Logins under a contract of a workspace and a plan, with the badge that was shown; badges know their login, not the reverse.
create table contracts (workspace varchar, plan varchar, currency varchar);
insert into contracts values
  ('alpha', 'team', 'eur'), ('alpha', 'solo', 'sek'), ('beta', 'team', 'usd'), ('gamma', null, 'chf');

create table badges (badge_no integer, login_id varchar, door varchar);
insert into badges values (1, 'l1', 'north'), (2, 'l3', 'south'), (3, null, 'south'), (4, null, 'north'), (5, 'l9', 'north');

create table logins (login_id varchar, workspace varchar, plan varchar, logged_in_at timestamp);
insert into logins values
  ('l1', 'alpha', 'team', '2026-03-01 08:00'), ('l2', 'alpha', 'solo', '2026-03-01 09:00'),
  ('l3', 'beta', 'solo', '2026-03-02 08:00'), ('l4', 'beta', 'team', '2026-03-02 09:00'),
  ('l5', 'gamma', null, '2026-03-03 08:00'), ('l6', null, 'team', '2026-03-03 09:00');

-- Reviews name two people; staff name their manager, who is one of the staff.
create table reviews (review_id varchar, author varchar, reviewer varchar);
insert into reviews values
  ('v1', 'ann', 'bob'), ('v2', 'ann', 'bob'), ('v3', 'bob', 'ann'), ('v4', 'ann', 'ann'), ('v5', 'eve', 'bob'), ('v6', 'bob', null);

create table staff (staff_id varchar, manager varchar, office varchar);
insert into staff values
  ('ada', null, 'oslo'), ('ben', 'ada', 'rome'), ('cat', 'ada', 'oslo'), ('dan', 'ben', 'oslo'), ('eli', 'ben', null),
  ('fay', 'gone', 'rome'), ('gus', 'eli', 'rome');
