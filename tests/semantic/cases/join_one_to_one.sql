-- Badges name their login: those without one are of no login, and a login without a badge came through no known door.
-- metrics: [logins]
-- by: [door]

-- compiled
WITH logins_by_door AS (
  SELECT
    badge.door AS door,
    COUNT(*) AS logins
  FROM logins AS logins
  LEFT JOIN badges AS badge
    ON logins.login_id = badge.login_id
  GROUP BY
    1
)
SELECT
  logins_by_door.door AS door,
  logins_by_door.logins AS logins
FROM logins_by_door
ORDER BY
  door ASC

-- by hand
select (select door from badges b where b.login_id = l.login_id) as door, count(*) as logins
from logins l
group by 1
order by 1 nulls last
