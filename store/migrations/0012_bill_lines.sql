-- What a line of a bill for inference is for, where the bill says so: with it, a difference to the calls can be split.
ALTER TABLE charges ADD COLUMN model VARCHAR;
ALTER TABLE charges ADD COLUMN line_item VARCHAR;
