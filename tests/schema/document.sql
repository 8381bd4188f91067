-- What the schema document creates, in its words. Only the order is ours (phone_numbers first, since
-- the others refer to it) and call_analytics, of which the document shows nothing but an index.

CREATE TABLE phone_numbers (
  id TEXT PRIMARY KEY,
  number TEXT UNIQUE NOT NULL,
  display_name TEXT,
  business_name TEXT NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW()
);

CREATE TABLE calls (
  id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
  phone_id TEXT NOT NULL REFERENCES phone_numbers(id) ON DELETE CASCADE,
  caller_number TEXT NOT NULL,
  call_sid TEXT UNIQUE NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('ringing', 'answered', 'completed', 'failed')),
  duration INTEGER DEFAULT 0,
  recording_url TEXT,
  transcript TEXT,
  ai_summary TEXT,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
  updated_at TIMESTAMP WITH TIME ZONE DEFAULT NOW()
);

CREATE INDEX idx_calls_phone_id ON calls(phone_id);
CREATE INDEX idx_calls_created_at ON calls(created_at DESC);
CREATE INDEX idx_calls_status ON calls(phone_id, status);
CREATE INDEX idx_calls_caller_number ON calls(phone_id, caller_number);

CREATE TABLE call_analytics (
  phone_id TEXT NOT NULL REFERENCES phone_numbers(id) ON DELETE CASCADE,
  date_bucket TIMESTAMP WITH TIME ZONE NOT NULL
);

CREATE INDEX idx_calls_phone_status_date ON calls(phone_id, status, created_at DESC);
CREATE INDEX idx_analytics_phone_date ON call_analytics(phone_id, date_bucket);

CREATE INDEX idx_active_calls ON calls(phone_id, created_at DESC)
WHERE status IN ('ringing', 'answered');

CREATE INDEX idx_calls_created_brin ON calls USING BRIN(created_at);

CREATE TABLE voice_settings (
  id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
  phone_id TEXT NOT NULL REFERENCES phone_numbers(id) ON DELETE CASCADE,
  voice_model TEXT NOT NULL DEFAULT 'neural',
  voice_name TEXT NOT NULL DEFAULT 'Alloy',
  speech_speed DECIMAL(3,2) DEFAULT 1.0,
  language TEXT NOT NULL DEFAULT 'en-US',
  greeting_message TEXT,
  updated_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
  UNIQUE(phone_id)
);

CREATE TABLE conversation_rules (
  id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
  phone_id TEXT NOT NULL REFERENCES phone_numbers(id) ON DELETE CASCADE,
  rule_type TEXT NOT NULL CHECK (rule_type IN ('greeting', 'routing', 'transfer', 'hours')),
  conditions JSONB NOT NULL DEFAULT '{}',
  actions JSONB NOT NULL DEFAULT '{}',
  priority INTEGER NOT NULL DEFAULT 0,
  is_active BOOLEAN NOT NULL DEFAULT true,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW()
);

ALTER TABLE calls ADD COLUMN ai_confidence DECIMAL(3,2);
UPDATE calls SET ai_confidence = 0.8 WHERE ai_confidence IS NULL;
ALTER TABLE calls ALTER COLUMN ai_confidence SET NOT NULL;
ALTER TABLE calls ALTER COLUMN ai_confidence SET DEFAULT 0.8;

ALTER TABLE calls ADD CONSTRAINT check_duration_positive
CHECK (duration >= 0) NOT VALID;
ALTER TABLE calls VALIDATE CONSTRAINT check_duration_positive;

CREATE TABLE business_hours (
  id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
  phone_id TEXT NOT NULL REFERENCES phone_numbers(id) ON DELETE CASCADE,
  day_of_week INTEGER NOT NULL CHECK (day_of_week BETWEEN 0 AND 6),
  open_time TIME NOT NULL,
  close_time TIME NOT NULL,
  timezone TEXT NOT NULL DEFAULT 'UTC',
  is_closed BOOLEAN NOT NULL DEFAULT false,
  UNIQUE(phone_id, day_of_week)
);

CREATE TABLE call_metadata (
  call_id UUID NOT NULL REFERENCES calls(id) ON DELETE CASCADE,
  metadata JSONB NOT NULL DEFAULT '{}',
  tags TEXT[] DEFAULT '{}',
  custom_fields JSONB DEFAULT '{}',
  created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
  PRIMARY KEY (call_id)
);

CREATE INDEX idx_call_metadata_jsonb ON call_metadata USING GIN(metadata);
CREATE INDEX idx_call_tags ON call_metadata USING GIN(tags);

CREATE OR REPLACE FUNCTION update_updated_at_column()
RETURNS TRIGGER AS $$
BEGIN
  NEW.updated_at = NOW();
  RETURN NEW;
END;
$$ language 'plpgsql';

CREATE TRIGGER update_calls_updated_at
  BEFORE UPDATE ON calls
  FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();

CREATE TABLE daily_call_stats (
  phone_id TEXT NOT NULL REFERENCES phone_numbers(id) ON DELETE CASCADE,
  date DATE NOT NULL,
  total_calls INTEGER NOT NULL DEFAULT 0,
  answered_calls INTEGER NOT NULL DEFAULT 0,
  total_duration INTEGER NOT NULL DEFAULT 0,
  average_duration DECIMAL(8,2),
  unique_callers INTEGER NOT NULL DEFAULT 0,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
  PRIMARY KEY (phone_id, date)
);

CREATE MATERIALIZED VIEW phone_performance_summary AS
SELECT
  phone_id,
  COUNT(*) as total_calls,
  AVG(duration) as avg_duration,
  COUNT(DISTINCT caller_number) as unique_callers,
  COUNT(*) FILTER (WHERE status = 'completed') * 100.0 / COUNT(*) as success_rate
FROM calls
WHERE created_at >= NOW() - INTERVAL '30 days'
GROUP BY phone_id;

CREATE UNIQUE INDEX ON phone_performance_summary(phone_id);

CREATE TABLE calls_archive (LIKE calls INCLUDING ALL);
