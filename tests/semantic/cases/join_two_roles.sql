-- One model in two roles: the team of who wrote and the team of who reviewed, either of which may not be known.
-- metrics: [reviews]
-- by: [author.team, reviewer.team]

-- compiled
WITH reviews_by_author_team_and_reviewer_team AS (
  SELECT
    author.team AS author_team,
    reviewer.team AS reviewer_team,
    COUNT(*) AS reviews
  FROM reviews AS reviews
  LEFT JOIN people AS author
    ON reviews.author = author.person_id
  LEFT JOIN people AS reviewer
    ON reviews.reviewer = reviewer.person_id
  GROUP BY
    1,
    2
)
SELECT
  reviews_by_author_team_and_reviewer_team.author_team AS author_team,
  reviews_by_author_team_and_reviewer_team.reviewer_team AS reviewer_team,
  reviews_by_author_team_and_reviewer_team.reviews AS reviews
FROM reviews_by_author_team_and_reviewer_team
ORDER BY
  author_team ASC,
  reviewer_team ASC

-- by hand
select a.team as author_team, r.team as reviewer_team, count(*) as reviews
from reviews left join people a on a.person_id = author left join people r on r.person_id = reviewer
group by a.team, r.team
order by a.team nulls last, r.team nulls last
