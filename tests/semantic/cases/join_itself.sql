-- Staff by their office and that of their manager, and those whose manager's manager is Ada.
-- metrics: [staff, staff_under_ada]
-- by: [office, manager.office]

-- compiled
WITH staff_by_office_and_manager_office AS (
  SELECT
    staff.office AS office,
    manager.office AS manager_office,
    COUNT(*) AS staff,
    COUNT(*) FILTER(WHERE
      manager__manager.staff_id = 'ada') AS staff_under_ada
  FROM staff AS staff
  LEFT JOIN staff AS manager
    ON staff.manager = manager.staff_id
  LEFT JOIN staff AS manager__manager
    ON manager.manager = manager__manager.staff_id
  GROUP BY
    1,
    2
)
SELECT
  staff_by_office_and_manager_office.office AS office,
  staff_by_office_and_manager_office.manager_office AS manager_office,
  staff_by_office_and_manager_office.staff AS staff,
  staff_by_office_and_manager_office.staff_under_ada AS staff_under_ada
FROM staff_by_office_and_manager_office
ORDER BY
  office ASC,
  manager_office ASC

-- by hand
select s.office, m.office as manager_office, count(*) as staff, count(*) filter (m.manager = 'ada') as staff_under_ada
from staff s left join staff m on m.staff_id = s.manager
group by s.office, m.office
order by s.office nulls last, m.office nulls last
