"""Row-level security: the role the service runs as, the policies, and the few functions that cross tenants."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ROLE = "tranship_app"
PUBLIC_TENANT = "00000000-0000-0000-0000-000000000000"
APPEND_ONLY = ("audit_blocks",)
WITHOUT_TENANT = ("workers",)

CREATE_ROLE = f"""
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{ROLE}') THEN
        CREATE ROLE {ROLE} NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$
"""

POLICIES = f"""
DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT table_name FROM information_schema.columns
                WHERE table_schema = 'public' AND column_name = 'tenant_id' AND table_name <> 'quotes'
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY tenant ON %I TO {ROLE} USING (tenant_id = (SELECT app_tenant())) '
                       'WITH CHECK (tenant_id = (SELECT app_tenant()))', name);
    END LOOP;
END $$
"""

FUNCTIONS = (
    # policies ask for it in a subselect, so that a statement evaluates it once and not for every row
    """
    CREATE FUNCTION app_tenant() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS
    $$ SELECT nullif(current_setting('app.tenant', true), '')::uuid $$
    """,
    """
    CREATE FUNCTION find_api_key(wanted uuid)
    RETURNS TABLE (id uuid, tenant_id uuid, role text, scopes text[], digest bytea, expires_at timestamptz,
                   revoked_at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS
    $$ SELECT id, tenant_id, role, scopes, digest, expires_at, revoked_at FROM api_keys WHERE id = wanted $$
    """,
    """
    CREATE FUNCTION find_oauth_token(wanted bytea)
    RETURNS TABLE (tenant_id uuid, api_key_id uuid, scopes text[], expires_at timestamptz, revoked_at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS
    $$ SELECT t.tenant_id, t.api_key_id, t.scopes, t.expires_at, k.revoked_at
       FROM oauth_tokens t JOIN api_keys k ON k.id = t.api_key_id WHERE t.digest = wanted $$
    """,
    """
    CREATE FUNCTION tenant_parent(wanted uuid) RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS
    $$ SELECT parent_id FROM tenants WHERE id = wanted $$
    """,
    """
    CREATE FUNCTION run_tenant(wanted uuid) RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS
    $$ SELECT tenant_id FROM runs WHERE id = wanted $$
    """,
    """
    CREATE FUNCTION artifact_tenant(wanted uuid) RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS
    $$ SELECT tenant_id FROM artifacts WHERE id = wanted $$
    """,
    """
    CREATE FUNCTION due_runs(at timestamptz, most integer)
    RETURNS TABLE (id uuid, tenant_id uuid, fence bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS
    $$ SELECT id, tenant_id, fence FROM runs
       WHERE state IN ('queued', 'running', 'waiting_quota', 'cancelling') AND next_at <= at
         AND (lease_until IS NULL OR lease_until <= now())
       ORDER BY next_at LIMIT most $$
    """,
    """
    CREATE FUNCTION due_deliveries(at timestamptz, most integer)
    RETURNS TABLE (id uuid, tenant_id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS
    $$ SELECT id, tenant_id FROM webhook_deliveries
       WHERE state = 'pending' AND next_at <= at AND (lease_until IS NULL OR lease_until <= at)
       ORDER BY next_at LIMIT most $$
    """,
    """
    CREATE FUNCTION expire_rows(at timestamptz) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public AS
    $$ DELETE FROM idempotency_keys WHERE created_at < at - interval '7 days';
       DELETE FROM oauth_tokens WHERE expires_at < at - interval '1 day' $$
    """,
)
NAMES = (
    "find_api_key(uuid)",
    "find_oauth_token(bytea)",
    "tenant_parent(uuid)",
    "run_tenant(uuid)",
    "artifact_tenant(uuid)",
    "due_runs(timestamptz, integer)",
    "due_deliveries(timestamptz, integer)",
    "expire_rows(timestamptz)",
)


def upgrade() -> None:
    op.execute(CREATE_ROLE)
    op.execute(f"GRANT {ROLE} TO CURRENT_USER")
    op.execute(f"GRANT USAGE ON SCHEMA public TO {ROLE}")
    for function in FUNCTIONS:
        op.execute(function)
    for name in NAMES:
        op.execute(f"REVOKE EXECUTE ON FUNCTION {name} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO {ROLE}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {ROLE}")
    op.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {ROLE}")
    op.execute(f"REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM {ROLE}")
    for table in APPEND_ONLY:
        op.execute(f"REVOKE UPDATE, DELETE ON {table} FROM {ROLE}")
    op.execute(POLICIES)
    op.execute("ALTER TABLE tenants ENABLE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY tenant ON tenants TO {ROLE} USING (id = app_tenant() OR parent_id = app_tenant()) "
        "WITH CHECK (parent_id = app_tenant())"
    )
    op.execute("ALTER TABLE quotes ENABLE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY tenant ON quotes TO {ROLE} "
        f"USING (tenant_id = app_tenant() OR tenant_id = '{PUBLIC_TENANT}') "
        f"WITH CHECK (tenant_id = app_tenant() OR tenant_id = '{PUBLIC_TENANT}')"
    )
    op.execute(
        f"INSERT INTO tenants (id, name, kind, created_at) VALUES ('{PUBLIC_TENANT}', 'public', 'public', now())"
    )


def downgrade() -> None:
    op.execute(f"DELETE FROM tenants WHERE id = '{PUBLIC_TENANT}'")
    op.execute("DROP POLICY tenant ON quotes")
    op.execute("ALTER TABLE quotes DISABLE ROW LEVEL SECURITY")
    op.execute("DROP POLICY tenant ON tenants")
    op.execute("ALTER TABLE tenants DISABLE ROW LEVEL SECURITY")
    op.execute(
        """
        DO $$ DECLARE name text; BEGIN
            FOR name IN SELECT tablename FROM pg_policies WHERE policyname = 'tenant' LOOP
                EXECUTE format('DROP POLICY tenant ON %I', name);
                EXECUTE format('ALTER TABLE %I DISABLE ROW LEVEL SECURITY', name);
            END LOOP;
        END $$
        """
    )
    for name in (*NAMES, "app_tenant()"):
        op.execute(f"DROP FUNCTION {name}")
    op.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {ROLE}")
    op.execute(f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM {ROLE}")
    op.execute(f"REVOKE ALL ON SCHEMA public FROM {ROLE}")
