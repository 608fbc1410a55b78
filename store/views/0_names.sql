-- Who is meant by the names on bills and in requests: bills name a company, requests the service that was called. The
-- names below are those that vendors print on bills and that tools write down; any other name is itself, in lower case.
CREATE OR REPLACE VIEW vendor_names AS
SELECT * FROM (VALUES
    ('amazon web services', 'bedrock'),
    ('amazon web services, inc.', 'bedrock'),
    ('amazon', 'bedrock'),
    ('aws', 'bedrock'),
    ('aws-bedrock', 'bedrock'),
    ('aws_bedrock', 'bedrock'),
    ('aws.bedrock', 'bedrock'),
    ('amazon-bedrock', 'bedrock'),
    ('amazon bedrock', 'bedrock'),
    ('anthropic, pbc', 'anthropic'),
    ('anthropic pbc', 'anthropic'),
    ('anthropic ireland, limited', 'anthropic'),
    ('claude', 'anthropic'),
    ('claude-code', 'anthropic'),
    ('openai, llc', 'openai'),
    ('openai, l.l.c.', 'openai'),
    ('openai opco, llc', 'openai'),
    ('openai ireland limited', 'openai'),
    ('openai-codex', 'openai'),
    ('google cloud', 'google'),
    ('google cloud platform', 'google'),
    ('google llc', 'google'),
    ('google-vertex', 'google'),
    ('google-gemini-cli', 'google'),
    ('vertex ai', 'google'),
    ('vertex_ai', 'google'),
    ('gcp.vertex_ai', 'google'),
    ('gcp.gemini', 'google'),
    ('gemini', 'google'),
    ('microsoft', 'azure'),
    ('microsoft azure', 'azure'),
    ('azure-openai', 'azure'),
    ('azure-openai-responses', 'azure'),
    ('azure.ai.openai', 'azure'),
    ('azure.ai.inference', 'azure'),
    ('openrouter, inc.', 'openrouter'),
    ('openrouter, inc', 'openrouter'),
    ('mistral ai', 'mistral'),
    ('mistral_ai', 'mistral'),
    ('mistralai', 'mistral'),
    ('x.ai', 'xai'),
    ('x-ai', 'xai'),
    ('x_ai', 'xai'),
    ('moonshot ai', 'moonshot'),
    ('moonshotai', 'moonshot'),
    ('z.ai', 'zai'),
    ('zhipu', 'zai'),
    ('together ai', 'together'),
    ('togetherai', 'together'),
    ('fireworks ai', 'fireworks'),
    ('groq, inc.', 'groq'),
    ('brave search', 'brave'),
    ('eleven labs', 'elevenlabs'),
    ('eleven labs inc.', 'elevenlabs')
) AS names (alias, provider);

-- For the few rows of bills and plans; rows of requests are joined with the names.
CREATE OR REPLACE MACRO billing_name(written) AS
    coalesce(
        (SELECT names.provider FROM vendor_names AS names WHERE names.alias = lower(trim(written))), lower(trim(written))
    );

-- A model as bills, reports and calls are matched by it: a dated snapshot, which is sold as the model, is the model.
CREATE OR REPLACE MACRO billing_model(written) AS
    regexp_replace(lower(trim(written)), '-(20[0-9]{2}-[0-9]{2}-[0-9]{2}|20[0-9]{6})$', '');
